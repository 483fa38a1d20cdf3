#pragma once

#include "network_system/integration/monitoring_integration.h"
