#pragma once

#include "network_system/test_utils/network_test_utils.h"
