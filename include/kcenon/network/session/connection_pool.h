#pragma once

#include "network_system/session/connection_pool.h"
