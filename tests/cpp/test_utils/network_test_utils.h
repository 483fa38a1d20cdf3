#pragma once

// By the path that the printed tests name.
#include "network_system/test_utils/network_test_utils.h"
