#pragma once

#include "network_system/core/tls_config.h"
