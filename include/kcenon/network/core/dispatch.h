#pragma once

#include "network_system/core/dispatch.h"
