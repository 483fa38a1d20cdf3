#pragma once

#include "network_system/utils/result_types.h"
