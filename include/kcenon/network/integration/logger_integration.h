#pragma once

#include "network_system/integration/logger_integration.h"
