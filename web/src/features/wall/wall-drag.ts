/** What is dragged on the wall, by the names under which a drop finds it. */
export const cameraMime = 'application/x-siphera-camera';
export const slotMime = 'application/x-siphera-slot';
