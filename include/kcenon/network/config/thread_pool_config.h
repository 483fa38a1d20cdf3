#pragma once

#include "network_system/config/thread_pool_config.h"
