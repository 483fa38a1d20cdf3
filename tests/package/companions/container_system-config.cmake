# Stands in for an installed container_system: the name of its package and target, and a mark that it was linked.
if(NOT TARGET container_system::container_system)
    add_library(container_system::container_system INTERFACE IMPORTED)
    set_property(TARGET container_system::container_system PROPERTY INTERFACE_COMPILE_DEFINITIONS LINKED_CONTAINER_SYSTEM)
endif()
