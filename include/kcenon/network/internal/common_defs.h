#pragma once

#include "network_system/internal/common_defs.h"
