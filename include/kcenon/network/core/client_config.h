#pragma once

#include "network_system/core/client_config.h"
