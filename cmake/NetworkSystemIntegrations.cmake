# The companion libraries that the C++ headers adapt to when a program asks for it: with BUILD_WITH_CONTAINER_SYSTEM,
# BUILD_WITH_THREAD_SYSTEM or BUILD_WITH_COMMON_SYSTEM set and the library found, programs are compiled with the macro
# of the same name and linked with that library. Where it is not found there is a warning, and the variable becomes OFF.
#
#   network_system_find_integrations()         in the scope that has the variables
#   network_system_add_integrations(target)    what was found, to a target
#
# Packages and targets of these libraries have had several names. The first that is found becomes ContainerSystem::Core,
# ThreadSystem::Core or CommonSystem::Core, unless the program has made that itself. container_system of 2025 installs
# nothing: a program adds its source tree first, or names the folder with its headers and library in
# CONTAINER_SYSTEM_ROOT.

macro(network_system_find_integrations)
    _network_system_find(BUILD_WITH_CONTAINER_SYSTEM ContainerSystem container
        PACKAGES container_system ContainerSystem
        TARGETS container_system::container_system ContainerSystem::container MessagingSystem::container
                container_system)
    # The installed ThreadSystem package of some versions ends the configuration with an error: it is tried last.
    _network_system_find(BUILD_WITH_THREAD_SYSTEM ThreadSystem thread
        PACKAGES thread_system ThreadSystem
        TARGETS thread_system::thread_system thread_system::thread_base thread_base)
    _network_system_find(BUILD_WITH_COMMON_SYSTEM CommonSystem common
        PACKAGES common_system
        TARGETS kcenon::common_system common_system::common_system kcenon::common)
endmacro()

function(network_system_add_integrations target)
    foreach(integration IN ITEMS BUILD_WITH_CONTAINER_SYSTEM:ContainerSystem::Core
                                 BUILD_WITH_THREAD_SYSTEM:ThreadSystem::Core
                                 BUILD_WITH_COMMON_SYSTEM:CommonSystem::Core)
        string(REGEX MATCH "^([A-Z_]+):(.*)$" integration "${integration}")
        if(${CMAKE_MATCH_1})
            set_property(TARGET ${target} APPEND PROPERTY INTERFACE_COMPILE_DEFINITIONS ${CMAKE_MATCH_1})
            set_property(TARGET ${target} APPEND PROPERTY INTERFACE_LINK_LIBRARIES ${CMAKE_MATCH_2})
        endif()
    endforeach()
endfunction()

function(_network_system_find option name what)
    cmake_parse_arguments(PARSE_ARGV 3 ARG "" "" "PACKAGES;TARGETS")
    if(NOT ${option} OR TARGET ${name}::Core)
        return()
    endif()

    # Ours are global targets: what they link must be seen everywhere too. (CMake knows this since 3.24.)
    set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL TRUE)
    _network_system_first_target(found ${ARG_TARGETS})
    foreach(package IN LISTS ARG_PACKAGES)
        if(NOT found AND NOT TARGET ${name}::Core)
            find_package(${package} CONFIG QUIET)
            _network_system_first_target(found ${ARG_TARGETS})
        endif()
    endforeach()
    if(TARGET ${name}::Core)
        return()
    endif()

    if(found)
        add_library(${name}::Core INTERFACE IMPORTED GLOBAL)
        set_property(TARGET ${name}::Core PROPERTY INTERFACE_LINK_LIBRARIES ${found})
    elseif(option STREQUAL "BUILD_WITH_CONTAINER_SYSTEM")
        _network_system_find_container_root()
    endif()
    if(NOT TARGET ${name}::Core)
        message(WARNING "NetworkSystem: ${option} is set, but ${name} not found, ${what} integration disabled")
        set(${option} OFF PARENT_SCOPE)
    endif()
endfunction()

function(_network_system_first_target out)
    foreach(candidate IN LISTS ARGN)
        if(TARGET ${candidate})
            set(${out} ${candidate} PARENT_SCOPE)
            return()
        endif()
    endforeach()
    set(${out} "" PARENT_SCOPE)
endfunction()

# Headers, and the library if there is one, in CONTAINER_SYSTEM_ROOT.
function(_network_system_find_container_root)
    if(NOT CONTAINER_SYSTEM_ROOT)
        set(CONTAINER_SYSTEM_ROOT "$ENV{CONTAINER_SYSTEM_ROOT}")
    endif()
    if(NOT CONTAINER_SYSTEM_ROOT)
        return()
    endif()
    set(here HINTS "${CONTAINER_SYSTEM_ROOT}" NO_DEFAULT_PATH)
    find_path(NETWORK_CONTAINER_SYSTEM_INCLUDE_DIR NAMES kcenon/container/container.h container/core/container.h
              ${here} PATH_SUFFIXES include DOC "The folder with the headers of container_system")
    find_library(NETWORK_CONTAINER_SYSTEM_LIBRARY NAMES container_system ${here}
                 PATH_SUFFIXES lib lib64 build build/lib DOC "The library of container_system")
    mark_as_advanced(NETWORK_CONTAINER_SYSTEM_INCLUDE_DIR NETWORK_CONTAINER_SYSTEM_LIBRARY)
    if(NETWORK_CONTAINER_SYSTEM_INCLUDE_DIR)
        add_library(ContainerSystem::Core INTERFACE IMPORTED GLOBAL)
        set_property(TARGET ContainerSystem::Core PROPERTY
            INTERFACE_INCLUDE_DIRECTORIES "${NETWORK_CONTAINER_SYSTEM_INCLUDE_DIR}")
        if(NETWORK_CONTAINER_SYSTEM_LIBRARY)
            set_property(TARGET ContainerSystem::Core PROPERTY
                INTERFACE_LINK_LIBRARIES "${NETWORK_CONTAINER_SYSTEM_LIBRARY}")
        endif()
    endif()
endfunction()
