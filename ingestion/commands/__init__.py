"""Commands to meters: their states, the rules of when they may go out, the dispatcher, and a driver for each way to a meter.

Accepting commands from people is `api.commands`. What a command brings back is read and landed as any other delivery.
"""
