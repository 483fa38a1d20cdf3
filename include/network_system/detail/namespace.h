#pragma once

// The namespace in which the library's classes live. Programs know them by two names, `network_system` and
// `kcenon::network`; both always work, but a program that declares a class of the library by itself has to do so where
// the class really is. That is network_system, or kcenon::network with NETWORK_SYSTEM_NAMESPACE_KCENON defined, which
// the CMake target NetworkSystem::Kcenon does.
//
// Translation units of both kinds may be linked into one program. Their classes are different types, each with the
// process-wide objects (default thread pool, managers) of its namespace.
#ifdef NETWORK_SYSTEM_NAMESPACE_KCENON
#define NETWORK_SYSTEM_NAMESPACE kcenon::network
namespace kcenon::network {}
namespace network_system = ::kcenon::network;
#else
#define NETWORK_SYSTEM_NAMESPACE network_system
namespace network_system {}
namespace kcenon {
namespace network = ::network_system;
}
#endif
