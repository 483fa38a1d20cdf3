# The library's CMake targets, made here for the source tree and for the installed package alike.
#
#   NetworkSystem::Core       the shared library
#   NetworkSystem::Static     the static library
#   NetworkSystem::Kcenon     the shared library, or the static one if NetworkSystem_USE_STATIC_LIBS is set; the classes
#                             live in the namespace kcenon::network (include/network_system/detail/namespace.h)
#
# and, for programs written against the names that the earlier versions had, NetworkSystem::NetworkSystem,
# NetworkSystem::network, NetworkSystem, network, network_system and network_system::network_system: the shared library,
# or the static one if NetworkSystem_USE_STATIC_LIBS is set. All are imported, global targets in their own right, since
# programs make aliases of them and CMake makes no alias of an alias.
#
# network_system and network_system::network_system mean NetworkSystem::Kcenon: the earlier library's targets had these
# names since its classes live in kcenon::network, where programs of that time declare them.
#
#   network_system_define_targets(INCLUDE_DIR dir SHARED_LIBRARY file STATIC_LIBRARY file STATIC_LINK_LIBRARIES flag...)
#
# Leave a library out and its target is not made.

include("${CMAKE_CURRENT_LIST_DIR}/NetworkSystemIntegrations.cmake")

function(network_system_define_targets)
    cmake_parse_arguments(PARSE_ARGV 0 ARG "" "INCLUDE_DIR;SHARED_LIBRARY;STATIC_LIBRARY" "STATIC_LINK_LIBRARIES")

    set(libraries)
    if(ARG_SHARED_LIBRARY)
        get_filename_component(file_name "${ARG_SHARED_LIBRARY}" NAME)
        string(REGEX REPLACE "(\\.so\\.[0-9]+).*$" "\\1" soname "${file_name}")
        add_library(NetworkSystem::Core SHARED IMPORTED GLOBAL)
        set_target_properties(NetworkSystem::Core PROPERTIES
            IMPORTED_LOCATION "${ARG_SHARED_LIBRARY}"
            IMPORTED_SONAME "${soname}")
        list(APPEND libraries NetworkSystem::Core)
    endif()
    if(ARG_STATIC_LIBRARY)
        add_library(NetworkSystem::Static STATIC IMPORTED GLOBAL)
        set_target_properties(NetworkSystem::Static PROPERTIES
            IMPORTED_LOCATION "${ARG_STATIC_LIBRARY}"
            IMPORTED_LINK_INTERFACE_LANGUAGES C
            INTERFACE_LINK_LIBRARIES "${ARG_STATIC_LINK_LIBRARIES}")
        list(APPEND libraries NetworkSystem::Static)
    endif()

    foreach(library IN LISTS libraries)
        # Of our own headers nothing needs asio; programs get it from theirs, and this is how they expect it.
        # In a project of C alone CMake refuses a C++ feature; there the compiler's name is empty.
        set_target_properties(${library} PROPERTIES
            INTERFACE_INCLUDE_DIRECTORIES "${ARG_INCLUDE_DIR}"
            INTERFACE_COMPILE_DEFINITIONS "$<$<COMPILE_LANGUAGE:CXX>:ASIO_STANDALONE>"
            INTERFACE_COMPILE_FEATURES "$<$<BOOL:$<CXX_COMPILER_ID>>:cxx_std_17>")
        # The C++ headers use std::thread, which C libraries before glibc 2.34 keep apart.
        set_property(TARGET ${library} APPEND PROPERTY INTERFACE_LINK_LIBRARIES -pthread)
        network_system_add_integrations(${library})
    endforeach()

    set(meant NetworkSystem::Core)
    if(TARGET NetworkSystem::Static AND (NetworkSystem_USE_STATIC_LIBS OR NOT TARGET NetworkSystem::Core))
        set(meant NetworkSystem::Static)
    endif()
    add_library(NetworkSystem::Kcenon INTERFACE IMPORTED GLOBAL)
    set_target_properties(NetworkSystem::Kcenon PROPERTIES
        INTERFACE_LINK_LIBRARIES ${meant}
        INTERFACE_COMPILE_DEFINITIONS NETWORK_SYSTEM_NAMESPACE_KCENON)
    foreach(name IN ITEMS NetworkSystem::NetworkSystem NetworkSystem::network NetworkSystem network network_system
                          network_system::network_system)
        if(TARGET ${name}) # the program's own
            continue()
        endif()
        add_library(${name} INTERFACE IMPORTED GLOBAL)
        set_property(TARGET ${name} PROPERTY INTERFACE_LINK_LIBRARIES ${meant})
        if(name MATCHES "^network_system")
            set_property(TARGET ${name} PROPERTY INTERFACE_LINK_LIBRARIES NetworkSystem::Kcenon)
        endif()
        # Through these two, programs of the oldest generation include "core/messaging_client.h" and "network.h".
        if(name STREQUAL "network" OR name STREQUAL "NetworkSystem::network")
            set_property(TARGET ${name} PROPERTY INTERFACE_INCLUDE_DIRECTORIES "${ARG_INCLUDE_DIR}/network")
        endif()
    endforeach()
endfunction()
