#pragma once

#include "network_system/interfaces/i_protocol_client.h"
