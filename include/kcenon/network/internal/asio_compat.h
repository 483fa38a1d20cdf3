#pragma once

#include "network_system/internal/asio_compat.h"
