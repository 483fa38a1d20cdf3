#pragma once

#include "network_system/integration/async_logger.h"
