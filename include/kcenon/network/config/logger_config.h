#pragma once

#include "network_system/config/logger_config.h"
