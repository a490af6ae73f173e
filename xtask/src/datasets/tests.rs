//! Sets that are fetched from a local server.
