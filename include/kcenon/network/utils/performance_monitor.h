#pragma once

#include "network_system/utils/performance_monitor.h"
