#pragma once

#include "network_system/core/messaging_client.h"
