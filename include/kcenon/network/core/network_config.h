#pragma once

#include "network_system/core/network_config.h"
