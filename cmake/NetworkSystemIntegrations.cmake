# The companion libraries that the C++ headers adapt to when a program asks for it: with BUILD_WITH_CONTAINER_SYSTEM,
# BUILD_WITH_THREAD_SYSTEM or BUILD_WITH_COMMON_SYSTEM set and the library found, programs are compiled with the macro
# of the same name and linked with that library. Their packages and targets had several names; the first found is taken.
#
#   network_system_add_integrations(target)

function(network_system_add_integrations target)
    _network_system_integrate(${target} BUILD_WITH_CONTAINER_SYSTEM ContainerSystem
        PACKAGES container_system ContainerSystem
        TARGETS ContainerSystem::Core container_system::container_system ContainerSystem::container
                MessagingSystem::container container_system)
    # The installed ThreadSystem package of some versions ends the configuration with an error: it is tried last.
    _network_system_integrate(${target} BUILD_WITH_THREAD_SYSTEM ThreadSystem
        PACKAGES thread_system ThreadSystem
        TARGETS ThreadSystem::Core thread_system::thread_system thread_system::thread_base thread_base)
    _network_system_integrate(${target} BUILD_WITH_COMMON_SYSTEM common_system
        PACKAGES common_system
        TARGETS kcenon::common_system common_system::common_system kcenon::common)
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

function(_network_system_integrate target option name)
    cmake_parse_arguments(PARSE_ARGV 3 ARG "" "" "PACKAGES;TARGETS")
    if(NOT ${option})
        return()
    endif()

    # Ours are global targets: what they link must be seen everywhere too.
    set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL TRUE)
    _network_system_first_target(found ${ARG_TARGETS})
    foreach(package IN LISTS ARG_PACKAGES)
        if(NOT found)
            find_package(${package} CONFIG QUIET)
            _network_system_first_target(found ${ARG_TARGETS})
        endif()
    endforeach()

    if(found)
        set_property(TARGET ${target} APPEND PROPERTY INTERFACE_LINK_LIBRARIES ${found})
        set_property(TARGET ${target} APPEND PROPERTY INTERFACE_COMPILE_DEFINITIONS ${option})
    else()
        message(WARNING "NetworkSystem: ${option} is set but ${name} was not found; its integration stays off")
    endif()
endfunction()
