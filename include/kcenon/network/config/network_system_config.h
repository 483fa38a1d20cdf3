#pragma once

#include "network_system/config/network_system_config.h"
