#pragma once

#include "network_system/config/monitoring_config.h"
