#pragma once

#include "network_system/metrics/network_metrics.h"
