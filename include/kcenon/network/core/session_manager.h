#pragma once

#include "network_system/core/session_manager.h"
