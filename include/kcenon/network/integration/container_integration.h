#pragma once

#include "network_system/integration/container_integration.h"
