print("hlab")
