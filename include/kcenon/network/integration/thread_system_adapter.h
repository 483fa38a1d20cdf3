#pragma once

#include "network_system/integration/thread_system_adapter.h"
