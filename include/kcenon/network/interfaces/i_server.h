#pragma once

#include "network_system/interfaces/i_server.h"
