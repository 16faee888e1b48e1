"""What stage 0 says of people over a video, and where that puts them before the cameras."""
