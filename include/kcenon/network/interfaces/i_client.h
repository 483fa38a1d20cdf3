#pragma once

#include "network_system/interfaces/i_client.h"
