#pragma once

#include "network_system/core/connection_pool.h"
