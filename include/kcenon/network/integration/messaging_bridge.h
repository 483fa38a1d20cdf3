#pragma once

#include "network_system/integration/messaging_bridge.h"
