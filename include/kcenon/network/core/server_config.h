#pragma once

#include "network_system/core/server_config.h"
