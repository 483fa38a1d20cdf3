#pragma once

#include "network_system/integration/thread_integration.h"
