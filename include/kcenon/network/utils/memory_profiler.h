#pragma once

#include "network_system/utils/memory_profiler.h"
