"""The rules that judge a DISCOM's meter-days as operators read them, and overlays that they propose. What is in force, files say."""
