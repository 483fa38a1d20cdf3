#pragma once

#include "network_system/utils/counter.h"
