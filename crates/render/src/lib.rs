//! What a host is served: iPXE scripts, pointer and live and installed Ignition documents. Pure.
