#pragma once

#include "network_system/core/messaging_server.h"
