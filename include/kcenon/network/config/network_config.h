#pragma once

#include "network_system/config/network_config.h"
