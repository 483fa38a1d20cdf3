#pragma once

#include "network_system/core/secure_messaging_client.h"
