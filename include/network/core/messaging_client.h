#pragma once

#include "network_system/detail/network_module_names.h"
