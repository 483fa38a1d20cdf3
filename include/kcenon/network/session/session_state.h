#pragma once

#include "network_system/session/session_state.h"
