#pragma once

#include "network_system/session/messaging_session.h"
