#pragma once

#include "network_system/session/session_manager.h"
