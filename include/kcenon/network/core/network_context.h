#pragma once

#include "network_system/core/network_context.h"
