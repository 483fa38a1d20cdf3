#pragma once

#include "network_system/config/bridge_config.h"
