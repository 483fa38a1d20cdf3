#pragma once

#include "network_system/core/dispatch_mode.h"
