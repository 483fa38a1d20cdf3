#pragma once

#include "network_system/utils/network_utils.h"
