#pragma once

#include "network_system/session/tls_info.h"
